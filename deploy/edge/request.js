// CloudFront Function (cloudfront-js-2.0), viewer request: every viewer asks for the whole picture.
//
// A 304 need not carry the metadata that fresh.js judges by, and would tell the viewer to go on
// showing what it has; a 412 would be an error page. So conditions are taken out, and the edge
// answers 200 from its cache. Ranges too: a part of a picture is no picture. The price is a whole
// picture where a 304 would have done, but only after `Expires`, when there is a new one anyway.
// None of these headers is read-only here
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html).
var CONDITIONS = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
  'range'
];

function handler(event) {
  CONDITIONS.forEach(function (name) {
    delete event.request.headers[name];
  });
  return event.request;
}
