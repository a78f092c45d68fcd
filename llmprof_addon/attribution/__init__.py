"""From counted leaves to the component tree that a person looks at."""
