package com.audian.conference.interop;

/** A command that runs while later ones are served. It throws what the call failed with. */
interface Background extends Runnable {
  /** Makes {@link #run()} return soon. */
  void cancel();
}
