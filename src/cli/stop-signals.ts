import { constants } from 'node:os';

const stops = ['SIGTERM', 'SIGINT'] as const;
type Stop = (typeof stops)[number];

/** The first SIGTERM or SIGINT is a request, the second an order: it ends the process at once. */
export class StopSignals {
  readonly first: Promise<Stop>;

  constructor() {
    this.first = new Promise((resolve) => {
      let asked = false;
      const onSignal = (signal: Stop): void => {
        if (asked) process.exit(128 + constants.signals[signal]);
        asked = true;
        resolve(signal);
      };
      for (const stop of stops) process.on(stop, onSignal);
    });
  }
}
