"""What leaves the store for people and programs: words, colours and stable shapes."""
