package integration

import (
	"fmt"
	"strings"
)

// StartRegistry starts a Schema Registry with .ci/kafka/schema-registry, which keeps its files in dir, and returns its address. dir must not exist.
func StartRegistry(dir string) (url string, err error) {
	out, err := script("schema-registry", "start", dir)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if url, ok := strings.CutPrefix(strings.TrimSpace(line), "url="); ok {
			return url, nil
		}
	}
	return "", fmt.Errorf("the script named no address: %q", out)
}

// StopRegistry ends what StartRegistry has started in dir, and removes its files.
func StopRegistry(dir string) error {
	_, err := script("schema-registry", "stop", dir, "--delete")
	return err
}
