// Package replicas tests several processes of the gateway that share one Redis (R1–R12). It holds
// tests only.
package replicas
