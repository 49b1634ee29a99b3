// Package deploycheck tests what is in deploy/: that tools of its format accept it, that its parts agree, and that the gateway
// starts with the flags that it passes. `make deploy-check` runs the tests.
package deploycheck
