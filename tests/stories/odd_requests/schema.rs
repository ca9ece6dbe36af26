//! Whether a value is what its schema says (JSON Schema 2020-12, as far as the server's
//! description of itself uses it; formats and patterns are not looked at).

use super::Described;
use serde_json::Value;

impl Described {
    /// Where `value` is not what `schema` says.
    pub(super) fn misfit(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let schema = self.resolved(schema);
        self.not_as_composed(schema, value, at)
            .or_else(|| not_as_named(schema, value, at))
            .or_else(|| self.not_in_its_fields(schema, value, at))
            .or_else(|| self.not_in_its_items(schema, value, at))
    }

    fn not_as_composed(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let mut all = schema["allOf"].as_array().into_iter().flatten();
        if let Some(misfit) = all.find_map(|one| self.misfit(one, value, at)) {
            return Some(misfit);
        }
        ["oneOf", "anyOf"].into_iter().find_map(|some| {
            let some = schema[some].as_array()?;
            let misfits = some.iter().map(|one| self.misfit(one, value, at));
            let misfits: Option<Vec<String>> = misfits.collect();
            misfits.map(|misfits| format!("{at} is nothing that it may be: {misfits:?}"))
        })
    }

    fn not_in_its_fields(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let fields = value.as_object()?;
        let mut required = schema["required"].as_array().into_iter().flatten();
        let lacking = required.find(|name| !fields.contains_key(name.as_str().unwrap_or_default()));
        if let Some(name) = lacking {
            return Some(format!("{at} has no {name}"));
        }
        let others = &schema["additionalProperties"];
        fields.iter().find_map(|(name, field)| {
            let at = format!("{at}.{name}");
            match &schema["properties"][name] {
                Value::Null if *others == Value::Bool(false) => {
                    Some(format!("{at} is not told of"))
                }
                Value::Null if others.is_object() => self.misfit(others, field, &at),
                Value::Null => None,
                told => self.misfit(told, field, &at),
            }
        })
    }

    fn not_in_its_items(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let items = value.as_array()?;
        let told = schema.get("items").filter(|told| told.is_object())?;
        let mut items = items.iter().enumerate();
        items.find_map(|(index, item)| self.misfit(told, item, &format!("{at}[{index}]")))
    }
}

/// Types and values that a schema names.
fn not_as_named(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is_of(kind, value)) {
        return Some(format!("{at} is no {types:?}: {value}"));
    }
    let one_of = schema["enum"].as_array();
    if one_of.is_some_and(|one_of| !one_of.contains(value)) {
        return Some(format!("{at} is not one of its values: {value}"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Some(format!("{at} is not its only value: {value}"));
    }
    let least = schema["minimum"].as_f64();
    let below = least
        .zip(value.as_f64())
        .filter(|(least, value)| value < least);
    below.map(|(least, value)| format!("{at} is {value}, below {least}"))
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        _ => false,
    }
}

#[test]
fn what_is_not_as_described_is_found() {
    let described = Described(serde_json::json!({ "components": { "schemas": {
        "Name": { "type": "string", "enum": ["a", "b"] },
        "One": { "type": "object", "required": ["name"], "properties": {
            "name": { "$ref": "#/components/schemas/Name" },
            "size": { "type": ["integer", "null"], "minimum": 0 },
            "parts": { "type": "array", "items": { "$ref": "#/components/schemas/One" } },
            "either": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Name" }] },
        } },
    } } }));
    let one = serde_json::json!({ "$ref": "#/components/schemas/One" });
    let fits = |value: &Value| described.misfit(&one, value, "it");
    for good in [
        serde_json::json!({ "name": "a" }),
        serde_json::json!({ "name": "b", "size": 3, "either": null, "more": 1 }),
        serde_json::json!({ "name": "b", "size": null, "either": "a", "parts": [{ "name": "a" }] }),
    ] {
        assert_eq!(fits(&good), None, "{good}");
    }
    for bad in [
        serde_json::json!([]),
        serde_json::json!({}),
        serde_json::json!({ "name": "c" }),
        serde_json::json!({ "name": "a", "size": "3" }),
        serde_json::json!({ "name": "a", "size": -1 }),
        serde_json::json!({ "name": "a", "size": 1.5 }),
        serde_json::json!({ "name": "a", "either": 1 }),
        serde_json::json!({ "name": "a", "parts": [{ "name": "a" }, { "name": 1 }] }),
    ] {
        assert!(fits(&bad).is_some(), "{bad}");
    }
}
