/** The version of all programs in this repository: they are released together. */
export const VERSION = '0.1.0';
