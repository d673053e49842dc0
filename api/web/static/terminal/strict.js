// Our policy forbids inline styles, and xterm.js makes <style> elements and style attributes. What
// scripts say through the CSS object model is allowed: this has them say it that way. It works for
// what xterm.js does with them: text is set, the element is removed.

const create = Document.prototype.createElement;

function styleOf(document) {
  const element = create.call(document, "template"); // an empty <style> is refused, too
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", {
    get: () => "",
    set: (text) => sheet.replaceSync(text),
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

document.createElement = (name, options) =>
  name === "style" ? styleOf(document) : create.call(document, name, options);

HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};
