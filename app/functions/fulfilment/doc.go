// Command fulfilment takes orders from the queue and fulfils them.
//
// Its environment: ORDERS_TABLE.
package main
