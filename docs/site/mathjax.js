// No messages while formulas are set, and no menu behind each of them.
MathJax.Hub.Config({messageStyle: "none", showMathMenu: false});
