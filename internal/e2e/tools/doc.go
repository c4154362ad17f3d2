// Command tools installs ahead what the end-to-end tests need from outside,
// since the namespace that scripts/with-docker may run them in has no network.
package main
