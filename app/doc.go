// Command app is the CDK app of this repository: the reference service that
// cdk deploy deploys and that the end-to-end tests run. cdk.json starts it in
// the repository's root.
//
// It is a small storefront:
//
//	POST /quotes ─────▶ Quote          prices a basket; needs no AWS service
//	POST /orders ─────▶ Checkout ────▶ Orders (table)
//	GET  /orders/{id} ─▶    │            ▲  ▲
//	                        ▼            │  │
//	                     Placed ──▶ Fulfilment
//	                    (queue)  ◀── Housekeeping ◀── every 15 minutes
//
//	GET its own URL ──▶ Waiting ◀─── Orders; takes signed requests only
//
// An order is kept before it is queued, and Housekeeping queues again what was
// left behind, so that an order which was taken is fulfilled whatever fails in
// between. A message that can't be handled ends in the queue's dead-letter
// queue, on which there is an alarm.
//
// The handlers are in functions/NAME, each a thin main and a handler behind
// small interfaces. What several of them share is in pricing, orders, store
// and jsonapi; the infrastructure imports only orders. Example events are in
// events.
package main
