package debezium

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
)

// additionalField is a column that goes somewhere else than the payload.
type additionalField struct {
	column    string
	placement string // header, envelope or partition; anything else fails with the first record
	alias     string
}

// placements wants pairs or trios with colons.
func placements(s settings, name string) string {
	list, ok := s.text(name)
	if !ok {
		return ""
	}
	all := javastring.Split(list, ",")
	for _, item := range all {
		if n := len(javastring.Split(item, ":")); n != 2 && n != 3 {
			return "A comma-separated list of valid String pairs or trios is expected but got: [" + strings.Join(all, ", ") + "]"
		}
	}
	return ""
}

func parsePlacements(s settings) (out []additionalField) {
	list, ok := s.text("table.fields.additional.placement")
	if !ok {
		return nil
	}
	for _, item := range javastring.Split(list, ",") {
		parts := javastring.Split(item, ":")
		f := additionalField{column: javastring.Trim(parts[0]), placement: lower(parts[1])}
		f.alias = f.column
		if len(parts) == 3 {
			f.alias = javastring.Trim(parts[2])
		}
		out = append(out, f)
	}
	return out
}

func lower(s string) string { return strings.ToLower(javastring.Trim(s)) }

// columnSchema is the schema of a column that must be there.
func columnSchema(row *data.Schema, column string) (*data.Schema, error) {
	f, err := lookUp(row, column)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, data.NullPointerException.Errorf("there is no column %s", column)
	}
	return f.Schema, nil
}
