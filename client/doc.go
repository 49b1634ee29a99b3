// Package client is the Go client of the participant gateway. It makes the connection with
// the settings that the gateway expects, and takes over what is hard to write: a watch that
// survives lost and silent connections, and a batch that goes on without dialling anybody twice.
//
//	gateway, err := client.New("gateway.example:9090", client.WithTLS(nil), client.WithKey(key))
//	if err != nil {
//		return err
//	}
//	defer gateway.Close()
//	for state, err := range gateway.Watch(ctx, "conf_demo") {
//		if err != nil {
//			return err
//		}
//		show(state)
//	}
//
// All other calls are methods of [Client.Service], the generated stub.
//
// Each error that this package and the stub of [Client.Service] return is an [*Error], to be
// found by [errors.As]. It has the gRPC code and what the gateway says about the error. The package
// status of grpc-go understands it too.
package client
