/** `security-key.js` as the text that is sent to browsers. */
declare const text: string;
export default text;
