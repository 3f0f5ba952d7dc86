# The two commands of the README, and what helps while working.
.PHONY: all test unit run bench scenarios golden

all: bin/kstreamlab

bin/kstreamlab: FORCE
	go build -o $@ ./cmd/kstreamlab
FORCE:

run: ; go run ./cmd/kstreamlab run scenarios/library/departures/scenario.yaml
test: ; .ci/test
unit: ; go test ./...
scenarios: bin/kstreamlab ; bin/kstreamlab run scenarios/library/departures/scenario-two-days.yaml --seeds 1..50
bench: ; bench/table
golden: ; go test ./streams/... ./internal/... -rewrite
