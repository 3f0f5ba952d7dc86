package main

// Transaction is what a user has paid, and where.
type Transaction struct {
	UserID   string  `json:"userId"`
	Amount   float64 `json:"amount"`
	Location string  `json:"location"`
	// Timestamp is when, in ms since the epoch.
	Timestamp int64 `json:"timestamp"`
}

// Summary is what is known of a user.
type Summary struct {
	Count        int64   `json:"count"`
	Sum          float64 `json:"sum"`
	LastLocation string  `json:"lastLocation,omitempty"`
	First        int64   `json:"first"` // ms: time of the first transaction
	Last         int64   `json:"last"`  // ms: of the last one
}

// average is the average amount; 0 before the first transaction.
func (s Summary) average() float64 {
	if s.Count == 0 {
		return 0
	}
	return s.Sum / float64(s.Count)
}

// perMinute is how many transactions the user makes in a minute, on average since the first one, and at least one in ten minutes.
func (s Summary) perMinute() float64 {
	minutes := float64(s.Last-s.First)/60_000 + 1
	return max(float64(s.Count)/minutes, 0.1)
}

// with is the summary with one more transaction.
func (s Summary) with(t Transaction) Summary {
	if s.Count == 0 {
		s.First = t.Timestamp
	}
	s.Count++
	s.Sum += t.Amount
	s.LastLocation = t.Location
	s.Last = max(s.Last, t.Timestamp)
	return s
}

// Alert is a transaction that looks wrong.
type Alert struct {
	UserID      string      `json:"userId"`
	Rule        string      `json:"rule"` // HIGH_AMOUNT, HIGH_VELOCITY, GEO_ANOMALY
	Text        string      `json:"text"`
	Transaction Transaction `json:"transaction"`
}
