// Command quote prices baskets: POST /quotes. It needs no AWS service.
package main
