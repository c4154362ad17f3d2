// Package pricing turns a basket into a quote. It is pure computation: it needs
// no service, so it runs the same in Lambda, in a test and on a laptop.
//
// Money is in minor units: 1290 is 12.90 euros. Tax rates are in basis points:
// 1900 is 19 %. Nothing is ever a floating-point number.
package pricing
