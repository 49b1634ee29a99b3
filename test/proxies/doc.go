// Package proxies tests the configurations of deploy/proxies: with nginx and HAProxy, streams begin at once, nothing is
// buffered, and no caller sees an error when one of two replicas drains.
package proxies
