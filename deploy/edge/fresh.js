// CloudFront Function (cloudfront-js-2.0), viewer response: a picture whose time is over is never
// shown, also when nothing is left alive that could replace it. The viewer is sent to the card.

// A function does not see the picture, and an answer without a body of its own keeps the old one
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html).
// An empty body is allowed too; a text cannot be taken for none.
var WORDS = 'This picture is too old to be shown.\n';
// what the headers say of the picture is not true of the answer; `via` must stay, it is read-only
var OF_THE_PICTURE = /^(x-amz-meta-.*|etag|last-modified|expires|accept-ranges|content-range)$/;

function handler(event) {
  var uri = event.request.uri;
  // judging the card at its own address could send it round in circles
  if (/\/unavailable\.jpg$/.test(uri) || mayBeShown(event.response, uri)) {
    return event.response;
  }
  return sentToCard(event.request, event.response);
}

function mayBeShown(response, uri) {
  var until = response.headers['x-amz-meta-fresh-until'];
  if (until) {
    return Date.now() < moment(until.value);
  }
  // cards and status.json bear no date; a live picture always does, so one without is broken
  var state = response.headers['x-amz-meta-state'];
  return !(state && state.value === 'live') && !isCopyOfUnknownAge(response, uri);
}

// request.js keeps 304s from happening; without it, what the viewer has cannot be judged
function isCopyOfUnknownAge(response, uri) {
  return response.statusCode === 304 && !/\.json$/.test(uri);
}

// In milliseconds; NaN, which nothing is earlier than, for all but the daemon's way of writing:
// Date.parse alone would take other forms, and in some engines the 31st of February.
function moment(text) {
  var time = Date.parse(text);
  return time === time && new Date(time).toISOString() === text ? time : NaN;
}

function sentToCard(request, response) {
  var headers = response.headers;
  Object.keys(headers).forEach(function (name) {
    if (OF_THE_PICTURE.test(name)) {
      delete headers[name];
    }
  });
  response.statusCode = 302;
  response.statusDescription = 'Found';
  headers['location'] = { value: folder(request.uri) + 'unavailable.jpg' };
  headers['cache-control'] = { value: 'no-store' };
  headers['content-type'] = { value: 'text/plain' };
  headers['content-length'] = { value: String(WORDS.length) };
  if (request.method !== 'HEAD') {
    response.body = { encoding: 'text', data: WORDS };
  }
  return response;
}

// two slashes in front would make the first folder another host's name
function folder(uri) {
  return uri.slice(0, uri.lastIndexOf('/') + 1).replace(/^[\/\\]+/, '/');
}
