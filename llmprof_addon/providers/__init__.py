"""Who speaks on the wire, and how: the registry as data, and one file per API dialect."""
