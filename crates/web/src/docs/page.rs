//! The page: what there is, then each operation, then each schema.

use super::html::{Html, anchor};
use super::{schema, style};
use serde_json::Value;
use std::collections::BTreeMap;

const METHODS: [&str; 8] = [
    "get", "post", "put", "patch", "delete", "head", "options", "trace",
];

/// One operation of the description.
struct Operation<'a> {
    path: &'a str,
    method: &'static str,
    value: &'a Value,
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        let name = self.value["operationId"].as_str();
        let unnamed = || format!("{}{}", self.method, self.path);
        anchor("op", &name.map_or_else(unnamed, str::to_owned))
    }

    fn title(&self) -> String {
        format!("{} {}", self.method.to_ascii_uppercase(), self.path)
    }
}

/// Writes the page of an OpenAPI document.
pub(super) fn render(document: &Value) -> String {
    let groups = grouped(document);
    let title = document["info"]["title"].as_str().unwrap_or("API");
    let mut html = Html::default();
    html.fixed("<!doctype html>\n");
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| head(html, title));
        html.element("body", &[], |html| {
            html.element("header", &[], |html| introduce(html, document, title));
            html.element("main", &[], |html| {
                html.element("nav", &[("aria-label", "Operations")], |html| {
                    contents(html, &groups);
                });
                for (tag, operations) in &groups {
                    html.element("h2", &[("id", &anchor("tag", tag))], |html| html.text(tag));
                    for operation in operations {
                        html.element("section", &[], |html| write(html, document, operation));
                    }
                }
                schemas(html, document);
            });
        });
    });
    html.finish()
}

/// The operations by their first tag.
fn grouped(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut groups = BTreeMap::<&str, Vec<Operation<'_>>>::new();
    let paths = document["paths"].as_object();
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            let value = &item[method];
            if value.is_object() {
                let tag = value["tags"][0].as_str().unwrap_or("other");
                groups.entry(tag).or_default().push(Operation {
                    path,
                    method,
                    value,
                });
            }
        }
    }
    groups
}

fn head(html: &mut Html, title: &str) {
    html.fixed("<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.tagged("title", &format!("{title} API"));
    // A style sheet of our own, without anything that would need escaping.
    html.element("style", &[], |html| html.text(&style::sheet()));
}

fn introduce(html: &mut Html, document: &Value, title: &str) {
    let info = &document["info"];
    html.tagged("h1", &format!("{title} API"));
    html.element("p", &[("class", "dim")], |html| {
        html.text(&format!(
            "Version {}. ",
            info["version"].as_str().unwrap_or_default()
        ));
        html.element("a", &[("href", "/api/v1/openapi.json")], |html| {
            html.text("The same for programs");
        });
        html.text(" (OpenAPI 3.1).");
    });
    if let Some(meaning) = info["description"].as_str() {
        html.element("p", &[], |html| html.prose(meaning));
    }
}

fn contents(html: &mut Html, groups: &BTreeMap<&str, Vec<Operation<'_>>>) {
    for (tag, operations) in groups {
        html.element("h4", &[], |html| html.link_here(&anchor("tag", tag), tag));
        html.element("ul", &[], |html| {
            for operation in operations {
                html.element("li", &[], |html| {
                    html.link_here(&operation.anchor(), &operation.title());
                });
            }
        });
    }
}

fn write(html: &mut Html, document: &Value, operation: &Operation<'_>) {
    let value = operation.value;
    html.element("h3", &[("id", &operation.anchor())], |html| {
        html.tagged("code", &operation.title());
    });
    for key in ["summary", "description"] {
        if let Some(text) = value[key].as_str() {
            html.element("p", &[], |html| html.prose(text));
        }
    }
    html.element("p", &[("class", "dim")], |html| html.prose(&who(value)));
    parameters(html, value);
    if let Some(content) = value["requestBody"]["content"].as_object() {
        html.tagged("h4", "Body");
        html.element("p", &[], |html| bodies(html, content));
    }
    responses(html, document, value);
}

/// Who may call it, in words.
fn who(operation: &Value) -> String {
    let requires = &operation["x-requires"];
    let role = requires["role"].as_str().unwrap_or_default();
    let scope = requires["scope"].as_str().unwrap_or_default();
    match requires["kind"].as_str() {
        Some("role") => format!("Needs the role `{role}`; a token, the scope `{scope}`."),
        Some("signed") => {
            format!("Needs a signed link, or the role `{role}`; a token, the scope `{scope}`.")
        }
        Some("handler") => "What it needs depends on what is asked.".to_owned(),
        _ => "Needs nobody to be logged in.".to_owned(),
    }
}

fn parameters(html: &mut Html, operation: &Value) {
    let Some(parameters) = operation["parameters"]
        .as_array()
        .filter(|list| !list.is_empty())
    else {
        return;
    };
    html.tagged("h4", "Parameters");
    html.element("div", &[("class", "wide")], |html| {
        html.element("table", &[], |html| {
            html.fixed("<tr><th>name</th><th>where</th><th>kind</th><th>meaning</th></tr>");
            for parameter in parameters {
                html.element("tr", &[], |html| {
                    html.element("td", &[], |html| {
                        html.tagged("code", parameter["name"].as_str().unwrap_or_default());
                    });
                    let place = parameter["in"].as_str().unwrap_or_default();
                    let needed = parameter["required"] == true;
                    let optional = if needed { "" } else { ", optional" };
                    html.tagged("td", &format!("{place}{optional}"));
                    html.element("td", &[], |html| schema::kind(html, &parameter["schema"]));
                    html.element("td", &[], |html| {
                        html.prose(parameter["description"].as_str().unwrap_or_default());
                    });
                });
            }
        });
    });
}

fn bodies(html: &mut Html, content: &serde_json::Map<String, Value>) {
    for (at, (media, body)) in content.iter().enumerate() {
        if at > 0 {
            html.text(", or ");
        }
        html.tagged("code", media);
        if body["schema"].is_object() {
            html.text(" ");
            schema::kind(html, &body["schema"]);
        }
    }
}

fn responses(html: &mut Html, document: &Value, operation: &Value) {
    let Some(responses) = operation["responses"].as_object() else {
        return;
    };
    html.tagged("h4", "Answers");
    html.element("div", &[("class", "wide")], |html| {
        html.element("table", &[], |html| {
            html.fixed("<tr><th>status</th><th>meaning</th><th>body</th></tr>");
            for (status, response) in responses {
                let response = resolved(document, response);
                html.element("tr", &[], |html| {
                    html.element("td", &[], |html| html.tagged("code", status));
                    html.element("td", &[], |html| {
                        html.prose(response["description"].as_str().unwrap_or_default());
                    });
                    html.element("td", &[], |html| {
                        if let Some(content) = response["content"].as_object() {
                            bodies(html, content);
                        }
                    });
                });
            }
        });
    });
}

/// What a reference among the components refers to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'));
    target
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}

fn schemas(html: &mut Html, document: &Value) {
    let Some(schemas) = document["components"]["schemas"].as_object() else {
        return;
    };
    html.element("h2", &[("id", "schemas")], |html| html.text("Schemas"));
    for (name, value) in schemas {
        html.element("section", &[], |html| schema::section(html, name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whatever_the_description_says_stays_text() {
        const BAD: &str = "\"><script>alert('1')</script>`<b>`&";
        let document = json!({
            "info": {"title": BAD, "version": BAD, "description": BAD},
            "paths": {BAD: {"get": {
                "operationId": BAD, "tags": [BAD], "summary": BAD, "description": BAD,
                "x-requires": {"kind": "role", "role": BAD, "scope": BAD},
                "parameters": [{"name": BAD, "in": BAD, "description": BAD, "schema": {"type": BAD, "format": BAD, "default": BAD}}],
                "requestBody": {"content": {BAD: {"schema": {"$ref": BAD}}}},
                "responses": {BAD: {"description": BAD, "content": {BAD: {"schema": {"enum": [BAD]}}}}},
            }}},
            "components": {"schemas": {BAD: {"description": BAD, "properties": {BAD: {"oneOf": [{"type": "array", "items": {"$ref": BAD}}], "description": BAD}}}}},
        });
        let page = render(&document);
        for markup in ["<script", "</script", "<b>", "alert('"] {
            assert!(!page.contains(markup), "{markup}");
        }
        // Every tag that stands there is one of ours.
        for tag in page.split('<').skip(1) {
            let name = tag.trim_start_matches(['/', '!']);
            let name: String = name
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            let ours = [
                "doctype", "html", "head", "meta", "title", "style", "body", "header", "h1", "h2",
                "h3", "h4", "p", "a", "main", "nav", "ul", "li", "section", "code", "div", "table",
                "tr", "th", "td", "span",
            ];
            assert!(ours.contains(&name.as_str()), "<{name}>");
        }
    }

    #[test]
    fn every_link_leads_somewhere() {
        let document = json!({
            "info": {"title": "T", "version": "1"},
            "paths": {"/things/{id}": {"get": {"operationId": "get_thing", "tags": ["things"],
                "responses": {"200": {"description": "It.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                              "404": {"$ref": "#/components/responses/NotFound"}}}}},
            "components": {
                "responses": {"NotFound": {"description": "There is none."}},
                "schemas": {"Thing": {"required": ["id"], "properties": {"id": {"type": "string"}, "next": {"$ref": "#/components/schemas/Thing"}}}},
            },
        });
        let page = render(&document);
        assert!(page.contains("There is none."));
        let links: Vec<&str> = page
            .split("href=\"#")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(links.len(), 4);
        for link in links {
            assert!(page.contains(&format!("id=\"{link}\"")), "{link}");
        }
    }
}
