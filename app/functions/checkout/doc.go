// Command checkout takes orders and shows them: POST /orders and GET
// /orders/{id}.
//
// Its environment: ORDERS_TABLE and ORDERS_QUEUE_URL.
package main
