// Package schema checks JSON by schemas of draft 4, as the models of REST APIs
// are:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
//
// All keywords of draft 4 are known, and its formats. A reference names a part
// of its own document or another document that was given, and never loads
// anything; "id" changes no address. Nothing is done before the first [Compile]:
// validators with the schemas of all drafts cost each command their compilation
// at its start.
package schema
