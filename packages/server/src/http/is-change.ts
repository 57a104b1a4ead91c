/** The request would change something: it is none of the safe methods (RFC 9110 9.2.1). */
export const isChange = ({ method }: Request): boolean => !['GET', 'HEAD', 'OPTIONS'].includes(method);
