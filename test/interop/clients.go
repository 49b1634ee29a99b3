package main

import (
	"fmt"
	"slices"
	"strings"
)

// client is one row of the table of clients. Commands run at the top of the repository.
type client struct {
	Name string
	// Build is the command that builds it; clients with the same command are built once.
	Build []string
	// Run is the command that runs it: a program for the protocol of README.md.
	Run []string
	// Transport is grpc or http.
	Transport string
	// Needs are the commands without which it cannot be built or run.
	Needs []string
	// Unsupported are the calls that it may answer `unsupported`.
	Unsupported []string
	// Without are the steps that it does not play, each with the reason.
	Without map[string]string
	// NoCredential means that it cannot send a credential: its gateway does not ask for one.
	NoCredential bool
}

// streams are the calls of clients that can wait for a whole response alone.
var streams = []string{"watch", "stop", "batch"}

// clients is the table.
var clients = append([]client{
	{
		Name: "go", Transport: "grpc", Build: []string{"go", "build", "-o", "bin/interop/go", "./test/interop/goclient"},
		Run: []string{"bin/interop/go"}, Needs: []string{"go"},
	},
	library("python", "grpc", "python3"),
	variant(library("python", "grpc", "python3"), "asyncio"),
	library("typescript", "grpc", "node", "npm"),
	variantOf(library("typescript", "http", "node", "npm"), "typescript-connect-web", "--web"),
	library("java", "grpc", "java", "mvn"),
	library("rust", "grpc", "cargo"),
	library("cpp", "grpc", "g++", "cmake"),
	rest("curl", "curl", "jq"),
	installed(rest("requests", "python3")),
	rest("fetch", "node"),
	eventSource(),
}, openAPI("go", "java", "rust", "python", "typescript")...)

// library is a client in clients/.
func library(name, transport string, needs ...string) client {
	return client{
		Name: name, Transport: transport, Needs: append(needs, "make"),
		Build: []string{"make", "-C", "clients/" + name}, Run: []string{"clients/" + name + "/interop.sh"},
	}
}

// variant is a client with another option of its program.
func variant(c client, option string) client {
	return variantOf(c, c.Name+"-"+option, "--"+option)
}

func variantOf(c client, name, flag string) client {
	c.Name = name
	c.Run = append(slices.Clone(c.Run), flag)
	return c
}

// rest is a client that uses no library of ours.
func rest(name string, needs ...string) client {
	return client{Name: name, Transport: "http", Needs: needs, Run: []string{"test/interop/rest/" + name + ".sh"}}
}

// installed is a client whose dependencies a script installs.
func installed(c client) client {
	c.Build = []string{"test/interop/rest/install.sh", c.Name}
	return c
}

// eventSource watches as a page in a browser does, with EventSource, which sends no credential.
func eventSource() client {
	c := installed(rest("eventsource", "node", "npm"))
	c.NoCredential = true
	c.Without = map[string]string{
		"wrong": noCredential, "limit": noCredential, "refused": noCredential, "revoked": noCredential,
	}
	return c
}

const noCredential = "it sends no credential"

// openAPI are clients that OpenAPI Generator made.
func openAPI(languages ...string) []client {
	toolchains := map[string][]string{
		"go": {"go"}, "java": {"java", "mvn"}, "rust": {"cargo"}, "python": {"python3"}, "typescript": {"node", "npm"},
	}
	all := make([]client, 0, len(languages))
	for _, language := range languages {
		all = append(all, client{
			Name: "openapi-" + language, Transport: "http", Needs: append([]string{"java", "python3"}, toolchains[language]...),
			Build: []string{"test/interop/openapi/build.sh", language},
			Run:   []string{"test/interop/openapi/" + language + "/interop.sh"}, Unsupported: streams,
		})
	}
	return all
}

// selectClients returns the clients with these names; no names select all.
func selectClients(names []string) ([]client, error) {
	if len(names) == 0 {
		return clients, nil
	}
	var selected []client
	for _, name := range names {
		at := slices.IndexFunc(clients, func(c client) bool { return c.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("no client %q; there are %s", name, strings.Join(clientNames(), ", "))
		}
		selected = append(selected, clients[at])
	}
	return selected, nil
}

func clientNames() []string {
	names := make([]string, 0, len(clients))
	for _, c := range clients {
		names = append(names, c.Name)
	}
	return names
}
