import type { Transport } from "@connectrpc/connect";
import { GatewayError } from "./errors.js";

/** Returns a transport whose calls fail with a GatewayError. */
export function withGatewayErrors(inner: Transport): Transport {
  return {
    unary: (...call) => inner.unary(...call).catch(rethrow),
    async stream(...call) {
      const response = await inner.stream(...call).catch(rethrow);
      return { ...response, message: convertErrors(response.message) };
    },
  };
}

async function* convertErrors<T>(
  messages: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* messages;
  } catch (error) {
    rethrow(error);
  }
}

function rethrow(error: unknown): never {
  throw GatewayError.from(error);
}
