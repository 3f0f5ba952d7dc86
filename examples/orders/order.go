package main

import "math"

// Order is an order as the shop writes it, and, from User on, what the application adds.
type Order struct {
	OrderID string  `json:"orderId"`
	UserID  string  `json:"userId"`
	Type    string  `json:"type"` // PREMIUM, STANDARD
	Amount  float64 `json:"amount"`
	Items   []Item  `json:"items,omitempty"`

	User     *User   `json:"user,omitempty"`
	Discount float64 `json:"discount,omitempty"`
	Total    float64 `json:"total,omitempty"`
}

// Item is a line of an order.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// User is a row of the table of users.
type User struct {
	Name    string `json:"name"`
	Country string `json:"country,omitempty"`
}

// withUser is the order with its user.
func (o Order) withUser(u User) Order {
	o.User = &u
	return o
}

// discounted is the order with a part of its amount taken off, to the cent.
func (o Order) discounted(part float64) Order {
	o.Discount = part
	o.Total = math.Round(o.Amount*(1-part)*100) / 100
	return o
}
