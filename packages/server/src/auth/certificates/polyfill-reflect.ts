/**
 * What @peculiar/x509 asks to be there before it, wrapped: a bundler runs modules of ours in the order of their
 * imports, but a CommonJS one only after them. Run from source it is the other way round, so who needs it imports both.
 */
import 'reflect-metadata';
