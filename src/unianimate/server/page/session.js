// The token, asked for where the browser has no cookie yet.
import * as api from './api.js';
import {setText} from './dom.js';

let asking = null;

// Resolves when the server has taken a token.
export function askForToken() {
  asking ??= new Promise(resolve => {
    const dialog = document.getElementById('token-dialog');
    const form = dialog.querySelector('form');
    const input = dialog.querySelector('input');
    const error = dialog.querySelector('.error');
    dialog.addEventListener('cancel', event => event.preventDefault());
    form.onsubmit = async event => {
      event.preventDefault();
      try {
        await api.openSession(input.value.trim());
        input.value = '';
        dialog.close();
        asking = null;
        resolve();
      } catch (problem) {
        setText(error, problem.message);
        input.setAttribute('aria-invalid', 'true');
        input.focus();
      }
    };
    dialog.showModal();
  });
  return asking;
}
