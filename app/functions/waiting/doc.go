// Command waiting gives the orders that are not fulfilled to whoever may ask: a
// line of JSON for each, the oldest first, while it reads them. It answers at a
// function URL of its own, which takes only signed requests.
//
// Its environment: ORDERS_TABLE.
package main
