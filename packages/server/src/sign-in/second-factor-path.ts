/** Where people see to their second factors. */
export const SECOND_FACTOR_PATH = '/sign-in/second-factor';

/** Of its forms: who was let in there. */
export const DESK_FIELD = 'desk';
