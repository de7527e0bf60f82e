/** Where the API lives. */
export const API_PATH = '/api/v1';
