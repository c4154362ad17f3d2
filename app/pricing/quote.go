package pricing

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The largest basket. It keeps every sum far from the limits of int64.
const (
	MaxLines    = 100
	MaxQuantity = 999
)

// Basket is what someone wants to buy.
type Basket struct {
	// Country is where it goes, an ISO 3166 code such as "DE".
	Country string `json:"country"`
	// Lines are 1 to MaxLines.
	Lines []Line `json:"lines"`
}

// Line is one product of a basket. A product may be there on several lines.
type Line struct {
	SKU string `json:"sku"`
	// Quantity is 1 to MaxQuantity, over all lines of the product.
	Quantity int `json:"quantity"`
}

// Quote is what a basket costs.
type Quote struct {
	Country  string       `json:"country"`
	Currency string       `json:"currency"`
	Lines    []QuotedLine `json:"lines"`
	// Net is the price of all lines without tax and delivery.
	Net int64 `json:"net"`
	// Delivery is without tax.
	Delivery int64 `json:"delivery"`
	Taxes    []Tax `json:"taxes"`
	// Tax is the sum of Taxes.
	Tax int64 `json:"tax"`
	// Total is what is paid: Net, Delivery and Tax.
	Total int64 `json:"total"`
}

// QuotedLine is one product of a quote, with its price without tax.
type QuotedLine struct {
	SKU       string `json:"sku"`
	Name      string `json:"name"`
	Quantity  int    `json:"quantity"`
	UnitPrice int64  `json:"unitPrice"`
	Net       int64  `json:"net"`
}

// Tax is what one rate adds.
type Tax struct {
	// Rate is in basis points.
	Rate int64 `json:"rate"`
	// Net is the sum that it is computed on, delivery included.
	Net int64 `json:"net"`
	Tax int64 `json:"tax"`
}

// Invalid says why a basket has no price: all that is wrong with it.
type Invalid struct{ Faults []Fault }

// Fault is one mistake. Field names its place in the basket: "lines[2].sku".
type Fault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error implements error.
func (e *Invalid) Error() string {
	all := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f.Field + " " + f.Message
	}
	return "the basket is not valid: " + strings.Join(all, "; ")
}

// Quote prices a basket. The error is an [*Invalid].
//
// Tax is computed once for each rate, on the sum of what it applies to, and
// rounded half up to a minor unit: rounding each line would let the tax of an
// invoice depend on how its lines are split.
func (c *Catalogue) Quote(b Basket) (*Quote, error) {
	if faults := c.check(b); len(faults) > 0 {
		return nil, &Invalid{faults}
	}
	rates := c.Taxes[b.Country]
	q := &Quote{Country: b.Country, Currency: c.Currency}
	taxed := map[int64]int64{}
	for _, line := range merged(b.Lines) {
		product, _ := c.product(line.SKU)
		net := product.Price * int64(line.Quantity)
		q.Lines = append(q.Lines, QuotedLine{line.SKU, product.Name, line.Quantity, product.Price, net})
		q.Net += net
		taxed[rates[product.Tax]] += net
	}
	if q.Net < c.Delivery.FreeFrom {
		q.Delivery = c.Delivery.Price
		taxed[rates["standard"]] += q.Delivery
	}
	for _, rate := range slices.Sorted(maps.Keys(taxed)) {
		tax := Tax{Rate: rate, Net: taxed[rate], Tax: share(taxed[rate], rate)}
		q.Taxes = append(q.Taxes, tax)
		q.Tax += tax.Tax
	}
	q.Total = q.Net + q.Delivery + q.Tax
	return q, nil
}

// share is the part of an amount that a rate in basis points is, rounded half
// up. Amounts are never negative.
func share(amount, rate int64) int64 { return (amount*rate + 5000) / 10000 }

// merged has one line for each product, in the order of their first lines.
func merged(lines []Line) []Line {
	var all []Line
	for _, line := range lines {
		at := slices.IndexFunc(all, func(l Line) bool { return l.SKU == line.SKU })
		if at < 0 {
			all = append(all, line)
			continue
		}
		all[at].Quantity += line.Quantity
	}
	return all
}

// check finds all that is wrong with a basket.
func (c *Catalogue) check(b Basket) []Fault {
	var faults []Fault
	if _, ok := c.Taxes[b.Country]; !ok {
		countries := strings.Join(slices.Sorted(maps.Keys(c.Taxes)), ", ")
		faults = append(faults, Fault{"country", fmt.Sprintf("is %q: we deliver to %s", b.Country, countries)})
	}
	if n := len(b.Lines); n < 1 || n > MaxLines {
		return append(faults, Fault{"lines", fmt.Sprintf("are %d: a basket has 1 to %d", n, MaxLines)})
	}
	quantities := map[string]int{}
	for i, line := range b.Lines {
		field := fmt.Sprintf("lines[%d].", i)
		if _, ok := c.product(line.SKU); !ok {
			faults = append(faults, Fault{field + "sku", fmt.Sprintf("is %q, which we do not sell", line.SKU)})
		}
		if line.Quantity < 1 || line.Quantity > MaxQuantity {
			faults = append(faults, Fault{field + "quantity", fmt.Sprintf("is %d: allowed are 1 to %d", line.Quantity, MaxQuantity)})
			continue
		}
		quantities[line.SKU] += line.Quantity
		if sum := quantities[line.SKU]; sum > MaxQuantity {
			faults = append(faults, Fault{field + "quantity", fmt.Sprintf("makes %d of %s: allowed are 1 to %d", sum, line.SKU, MaxQuantity)})
		}
	}
	return faults
}
