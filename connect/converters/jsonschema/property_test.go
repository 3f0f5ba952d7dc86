package jsonschema_test

import (
	"testing"

	"github.com/leanovate/gopter"

	"github.com/kstreamlab/kstreamlab/proptest/sample"
)

// TestRoundTrips writes random values of random schemas and reads them again.
func TestRoundTrips(t *testing.T) {
	params := gopter.DefaultTestParametersWithSeed(42)
	params.MinSuccessfulTests = 1000
	props := gopter.NewProperties(params)
	for _, format := range []string{"base64", "numeric"} {
		c := converter(t, "decimal.format", format, "json.fail.invalid.schema", "true")
		props.Property(format, sample.RoundTrips(sample.Rules{}, c, true))
	}
	props.TestingRun(t)
}
