HELLO = "hello from a package"
