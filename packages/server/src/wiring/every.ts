/** Calls again and again, that many milliseconds apart; returns how to stop. */
export const every = (milliseconds: number, call: () => void): (() => void) => {
  const timer = setInterval(call, milliseconds);
  return () => clearInterval(timer);
};
