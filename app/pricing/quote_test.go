package pricing

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func catalogue(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestQuote(t *testing.T) {
	for name, c := range map[string]struct {
		basket Basket
		want   Quote
	}{
		"one line, with delivery": {
			Basket{"DE", []Line{{"GLOVES-L", 1}}},
			Quote{
				Lines: []QuotedLine{{"GLOVES-L", "Work gloves, size L", 1, 899, 899}},
				Net:   899, Delivery: 490,
				// 19 % of 13.89 is 2.6391.
				Taxes: []Tax{{1900, 1389, 264}}, Tax: 264, Total: 1653,
			},
		},
		"two rates, free delivery": {
			Basket{"DE", []Line{{"BOOK-BRIDGES", 1}, {"BOLT-M8", 2}}},
			Quote{
				Lines: []QuotedLine{
					{"BOOK-BRIDGES", "Bridges and how they stand", 1, 3450, 3450},
					{"BOLT-M8", "Hex bolt M8, 100 pieces", 2, 1290, 2580},
				},
				// 7 % of 34.50 is 2.415, rounded up; 19 % of 25.80 is 4.902.
				Net: 6030, Taxes: []Tax{{700, 3450, 242}, {1900, 2580, 490}}, Tax: 732, Total: 6762,
			},
		},
		"delivery at the reduced rate's basket": {
			Basket{"FR", []Line{{"BOOK-BRIDGES", 1}}},
			Quote{
				Lines: []QuotedLine{{"BOOK-BRIDGES", "Bridges and how they stand", 1, 3450, 3450}},
				Net:   3450, Delivery: 490,
				Taxes: []Tax{{550, 3450, 190}, {2000, 490, 98}}, Tax: 288, Total: 4228,
			},
		},
		"a rate of nothing": {
			Basket{"IE", []Line{{"BOOK-BRIDGES", 2}}},
			Quote{
				Lines: []QuotedLine{{"BOOK-BRIDGES", "Bridges and how they stand", 2, 3450, 6900}},
				Net:   6900, Taxes: []Tax{{0, 6900, 0}}, Total: 6900,
			},
		},
		"one product on two lines": {
			Basket{"NL", []Line{{"PIN-TRUSS", 3}, {"BOLT-M8", 1}, {"PIN-TRUSS", 5}}},
			Quote{
				Lines: []QuotedLine{
					{"PIN-TRUSS", "Truss pin", 8, 650, 5200},
					{"BOLT-M8", "Hex bolt M8, 100 pieces", 1, 1290, 1290},
				},
				Net: 6490, Taxes: []Tax{{2100, 6490, 1363}}, Tax: 1363, Total: 7853,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := catalogue(t).Quote(c.basket)
			if err != nil {
				t.Fatal(err)
			}
			c.want.Country, c.want.Currency = c.basket.Country, "EUR"
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("got  %+v\nwant %+v", *got, c.want)
			}
		})
	}
}

func TestQuoteOfInvalidBasket(t *testing.T) {
	for name, c := range map[string]struct {
		basket Basket
		want   []Fault
	}{
		"empty": {Basket{}, []Fault{
			{"country", `is "": we deliver to AT, DE, FR, IE, NL`}, {"lines", "are 0: a basket has 1 to 100"},
		}},
		"too many lines": {Basket{"DE", make([]Line, 101)}, []Fault{{"lines", "are 101: a basket has 1 to 100"}}},
		"all at once": {Basket{"XX", []Line{{"BOLT-M8", 0}, {"NOTHING", 1000}}}, []Fault{
			{"country", `is "XX": we deliver to AT, DE, FR, IE, NL`},
			{"lines[0].quantity", "is 0: allowed are 1 to 999"},
			{"lines[1].sku", `is "NOTHING", which we do not sell`},
			{"lines[1].quantity", "is 1000: allowed are 1 to 999"},
		}},
		"too many over two lines": {Basket{"DE", []Line{{"BOLT-M8", 999}, {"BOLT-M8", 1}}}, []Fault{
			{"lines[1].quantity", "makes 1000 of BOLT-M8: allowed are 1 to 999"},
		}},
		"negative": {Basket{"DE", []Line{{"BOLT-M8", -1}}}, []Fault{{"lines[0].quantity", "is -1: allowed are 1 to 999"}}},
	} {
		t.Run(name, func(t *testing.T) {
			quote, err := catalogue(t).Quote(c.basket)
			var invalid *Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, %v, want an *Invalid", quote, err)
			}
			if !reflect.DeepEqual(invalid.Faults, c.want) {
				t.Errorf("got  %q\nwant %q", invalid.Faults, c.want)
			}
			if !strings.Contains(err.Error(), c.want[0].Message) {
				t.Errorf("the error lacks its reason: %v", err)
			}
		})
	}
}

// The dearest basket that is allowed stays far from overflowing.
func TestQuoteOfLargestBasket(t *testing.T) {
	c := &Catalogue{Taxes: map[string]map[string]int64{"DE": {"standard": 10000}}}
	var b Basket
	b.Country = "DE"
	for i := range MaxLines {
		sku := strings.Repeat("x", i+1)
		c.Products = append(c.Products, Product{SKU: sku, Price: 100_000_000, Tax: "standard"})
		b.Lines = append(b.Lines, Line{sku, MaxQuantity})
	}
	q, err := c.Quote(b)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(2 * 100_000_000 * MaxLines * MaxQuantity); q.Total != want {
		t.Errorf("the total is %d, want %d", q.Total, want)
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct{ amount, rate, want int64 }{
		{0, 1900, 0}, {1, 1900, 0}, {2, 2500, 1}, {3, 1900, 1}, {50, 100, 1}, {49, 100, 0}, {10000, 550, 550},
	} {
		if got := share(c.amount, c.rate); got != c.want {
			t.Errorf("%d basis points of %d are %d, want %d", c.rate, c.amount, got, c.want)
		}
	}
}

// Every product has a rate in every country.
func TestCatalogueIsComplete(t *testing.T) {
	c := catalogue(t)
	seen := map[string]bool{}
	for _, p := range c.Products {
		if p.SKU == "" || p.Name == "" || p.Price <= 0 || seen[p.SKU] {
			t.Errorf("the product is incomplete or there twice: %+v", p)
		}
		seen[p.SKU] = true
		for country, rates := range c.Taxes {
			if _, ok := rates[p.Tax]; !ok {
				t.Errorf("%s has no rate %q, which %s needs", country, p.Tax, p.SKU)
			}
		}
	}
}

// Whatever the basket, the sums hold.
func FuzzQuote(f *testing.F) {
	f.Add(`{"country":"DE","lines":[{"sku":"BOLT-M8","quantity":2},{"sku":"BOOK-BRIDGES","quantity":1}]}`)
	f.Add(`{"country":"FR","lines":[{"sku":"PIN-TRUSS","quantity":999}]}`)
	c := catalogue(f)
	f.Fuzz(func(t *testing.T, text string) {
		var b Basket
		if json.Unmarshal([]byte(text), &b) != nil {
			return
		}
		q, err := c.Quote(b)
		if err != nil {
			return
		}
		var net, taxed, tax int64
		for _, line := range q.Lines {
			net += line.Net
		}
		for _, x := range q.Taxes {
			taxed, tax = taxed+x.Net, tax+x.Tax
		}
		if net != q.Net || taxed != q.Net+q.Delivery || tax != q.Tax || q.Total != net+q.Delivery+tax || q.Total <= 0 {
			t.Errorf("the sums of %s do not hold: %+v", text, q)
		}
	})
}
