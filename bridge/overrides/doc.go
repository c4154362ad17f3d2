// Package overrides reads what a user gives in place of a template's values,
// in the SAM CLI's own formats and in bailey.toml.
//
// A parameter's value is looked for in --parameter-overrides, then in the
// [parameters] table of bailey.toml, then in the template. An environment
// variable's in the --env-vars file, then in the [env] tables of bailey.toml,
// then in the template. Only variables that a function declares are set, as in
// the SAM CLI; unlike there, the shell's environment is not looked at.
package overrides
