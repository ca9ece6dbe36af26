//! Schemas in words: `array of Operation`, `string (uuid) or null`.

use super::html::{Html, anchor};
use serde_json::Value;

/// Deeper nesting than this is not followed: a description is finite, but need not
/// be reasonable.
const DEEPEST: usize = 8;

/// Writes what kind of value a schema describes, with links to named schemas.
pub(super) fn kind(html: &mut Html, schema: &Value) {
    kind_within(html, schema, DEEPEST);
}

fn kind_within(html: &mut Html, schema: &Value, depth: usize) {
    if depth == 0 {
        return html.text("…");
    }
    if let Some(name) = schema["$ref"].as_str().map(last_segment) {
        return html.link_here(&anchor("schema", name), name);
    }
    for (key, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[key].as_array() {
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    html.text(between);
                }
                kind_within(html, part, depth - 1);
            }
            return;
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                html.text(" | ");
            }
            html.tagged("code", &value.to_string());
        }
        return;
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any"],
    };
    for (at, name) in types.iter().enumerate() {
        if at > 0 {
            html.text(" or ");
        }
        html.text(name);
        match *name {
            "array" => {
                html.text(" of ");
                kind_within(html, &schema["items"], depth - 1);
            }
            "object" if schema["additionalProperties"].is_object() => {
                html.text(" of ");
                kind_within(html, &schema["additionalProperties"], depth - 1);
            }
            "null" => {}
            _ => {
                if let Some(format) = schema["format"].as_str() {
                    html.text(&format!(" ({format})"));
                }
            }
        }
    }
    limits(html, schema);
}

fn limits(html: &mut Html, schema: &Value) {
    for (key, words) in [
        ("minimum", "from"),
        ("maximum", "to"),
        ("maxLength", "at most, in characters:"),
        ("maxItems", "at most, in items:"),
        ("default", "by default"),
    ] {
        if !schema[key].is_null() {
            html.text(&format!(", {words} {}", schema[key]));
        }
    }
}

/// Writes a named schema: its meaning, and its fields where it has some.
pub(super) fn section(html: &mut Html, name: &str, schema: &Value) {
    html.element("h3", &[("id", &anchor("schema", name))], |html| {
        html.tagged("code", name)
    });
    if let Some(meaning) = schema["description"].as_str() {
        html.element("p", &[], |html| html.prose(meaning));
    }
    let mut whole = Vec::new();
    collect(schema, &mut whole, DEEPEST);
    if whole.is_empty() {
        return html.element("p", &[], |html| kind(html, schema));
    }
    html.element("div", &[("class", "wide")], |html| {
        html.element("table", &[], |html| {
            html.fixed("<tr><th>field</th><th>kind</th><th>meaning</th></tr>");
            for field in whole {
                html.element("tr", &[], |html| field.write(html));
            }
        });
    });
    for key in ["oneOf", "anyOf"] {
        if schema[key].is_array() {
            html.element("p", &[], |html| kind(html, schema));
        }
    }
}

struct Field<'a> {
    name: &'a str,
    schema: &'a Value,
    required: bool,
}

impl Field<'_> {
    fn write(&self, html: &mut Html) {
        html.element("td", &[], |html| {
            html.tagged("code", self.name);
            if !self.required {
                html.element("span", &[("class", "dim")], |html| html.text(" optional"));
            }
        });
        html.element("td", &[], |html| kind(html, self.schema));
        html.element("td", &[], |html| {
            html.prose(self.schema["description"].as_str().unwrap_or_default());
        });
    }
}

/// The fields of an object, and of all that it is made of.
fn collect<'a>(schema: &'a Value, fields: &mut Vec<Field<'a>>, depth: usize) {
    let required = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|one| one == name))
    };
    if let Some(properties) = schema["properties"].as_object() {
        fields.extend(properties.iter().map(|(name, schema)| Field {
            name,
            schema,
            required: required(name),
        }));
    }
    if let Some(parts) = schema["allOf"].as_array().filter(|_| depth > 0) {
        for part in parts {
            collect(part, fields, depth - 1);
        }
    }
}

pub(super) fn last_segment(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}
