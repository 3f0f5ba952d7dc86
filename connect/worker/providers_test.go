package worker_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/connect/worker"
)

func environment(t *testing.T, files map[string]string) worker.Environment {
	t.Helper()
	fs := vfs.NewMem()
	for name, text := range files {
		if err := fs.MkdirAll(fs.PathDir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return worker.Environment{FS: fs, Getenv: func(name string) (string, bool) {
		v, ok := map[string]string{"USER": "ann", "SECRET": "hunter2"}[name]
		return v, ok
	}}
}

const providers = "org.apache.kafka.common.config.provider."

func TestProviders(t *testing.T) {
	e := environment(t, map[string]string{"/etc/db.properties": "password=p@ss\nuser=bob", "/run/token": "abc", "/secret/x": "no", "/secret/db.properties": "a=b"})
	p, err := worker.NewProviders(e, map[string]string{
		"config.providers": "file, env,dir,few", "config.providers.file.class": providers + "FileConfigProvider", "config.providers.file.param.allowed.paths": "/etc",
		"config.providers.env.class": "EnvVar", "config.providers.dir.class": "DirectoryConfigProvider", "config.providers.dir.param.allowed.paths": "/run/, /other",
		"config.providers.few.class": "EnvVarConfigProvider", "config.providers.few.param.allowlist.pattern": "US.*"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Resolve(t.Context(), map[string]string{
		"two": "${file:/etc/db.properties:user}:${file:/etc/db.properties:password}", "env": "x${env:USER}y", "dir": "${dir:/run:token}",
		"unknown key": "${file:/etc/db.properties:nope}", "unknown provider": "${vault:a:b}", "unset": "${env:NOPE}", "none": "$ {env:USER} ${}",
		"forbidden": "${dir:/secret:x} ${file:/etc/../secret/db.properties:a} ${few:SECRET}", "allowed": "${few:USER}", "up": "${dir:/run:../secret/x}"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"two": "bob:p@ss", "env": "xanny", "dir": "abc", "unknown key": "${file:/etc/db.properties:nope}", "unknown provider": "${vault:a:b}",
		"unset": "${env:NOPE}", "none": "$ {env:USER} ${}", "forbidden": "${dir:/secret:x} ${file:/etc/../secret/db.properties:a} ${few:SECRET}",
		"allowed": "ann", "up": "${dir:/run:../secret/x}"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestProviderErrors(t *testing.T) {
	e := environment(t, map[string]string{"/etc/bad.properties": `password=hunter2\u12`})
	p, err := worker.NewProviders(e, map[string]string{"config.providers": "file,env", "config.providers.file.class": "File", "config.providers.env.class": "EnvVar"})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"${file:/nowhere:a}", "${file:/etc/bad.properties:password}", "${env:path:USER}"} {
		_, err := p.Resolve(t.Context(), map[string]string{"k": v})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "Could not resolve the value of k") {
			t.Errorf("%s: %v", v, err)
		}
	}
	_, err = worker.NewProviders(e, map[string]string{"config.providers": "x", "config.providers.x.class": "Nope"})
	if err == nil || err.Error() != "Invalid value Nope for configuration config.providers.x.class: Class Nope could not be found." {
		t.Error(err)
	}
}
