/** Elements, made without HTML in strings: the page's policy forbids that, for safety. */

/**
 * @param {string} tag Such as "button.mute": the name, and classes.
 * @param {Object<string, any>} attributes
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  made.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Sets an attribute if it is another, so that nobody is told for nothing. */
export function attribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Sets the text if it is another. */
export function words(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
