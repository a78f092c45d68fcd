"""The rules: one file each, named after its code, with one function `find`. A file that is put here is a rule."""
