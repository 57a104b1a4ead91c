/** The event loop has come round once: what arrived together has been read, and has asked for what it needs. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
