// Command housekeeping queues orders again that were placed but not fulfilled:
// those whose message was never sent, and those whose message was given up. A
// schedule runs it.
//
// Its environment: ORDERS_TABLE and ORDERS_QUEUE_URL.
package main
