/** Case is ignored for A to Z alone: what `lower` of SQLite, and of PostgreSQL under the collation "C", does. */
export const foldCase = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
