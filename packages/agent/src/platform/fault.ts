/** What an unknown thrown value says, for people. */
export const faultText = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
