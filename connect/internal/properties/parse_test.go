package properties_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/connect/internal/properties"
)

func TestParse(t *testing.T) {
	const text = "# comment\n! another\n\n a = 1\nb:2\nc 3\nd\n e\\ f = x\\ty \\u00e9 \\ud83d\\ude00\nlong = one, \\\n    two\\\\\nwindows=C:\\\\x\r\na=again\nurl=http://h:1/x=y\nempty=\n"
	got, err := properties.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "again", "b": "2", "c": "3", "d": "", "e f": "x\ty é 😀", "long": `one, two\`, "windows": `C:\x`, "url": "http://h:1/x=y", "empty": ""}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{`a=\u12`, `a=\uzzzz`} {
		if _, err := properties.Parse([]byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a=b\\\nc"))
	f.Add([]byte("\\u00e9 \\\\:x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := properties.Parse(b)
		if err == nil && len(got) > len(b)+1 {
			t.Errorf("%d keys of %d bytes", len(got), len(b))
		}
	})
}
