package pricing

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Product is something to buy. Price is without tax.
type Product struct {
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Price int64  `json:"price"`
	// Tax is the class of its tax rate: "standard" or "reduced".
	Tax string `json:"tax"`
}

// Catalogue is what is sold, and what is added to it. Its zero value sells
// nothing anywhere.
type Catalogue struct {
	// Currency is an ISO 4217 code.
	Currency string    `json:"currency"`
	Products []Product `json:"products"`
	// Taxes holds the rate of each class by country, an ISO 3166 code.
	Taxes map[string]map[string]int64 `json:"taxes"`
	// Delivery is taxed like a product of the class "standard".
	Delivery Delivery `json:"delivery"`
}

// Delivery costs Price, or nothing if the products cost FreeFrom or more.
type Delivery struct {
	Price    int64 `json:"price"`
	FreeFrom int64 `json:"freeFrom"`
}

//go:embed catalogue.json
var catalogueFile []byte

// Default is the catalogue that was compiled in.
func Default() (*Catalogue, error) {
	c := &Catalogue{}
	if err := json.Unmarshal(catalogueFile, c); err != nil {
		return nil, fmt.Errorf("the catalogue can't be read: %w", err)
	}
	return c, nil
}

func (c *Catalogue) product(sku string) (Product, bool) {
	for _, p := range c.Products {
		if p.SKU == sku {
			return p, true
		}
	}
	return Product{}, false
}
