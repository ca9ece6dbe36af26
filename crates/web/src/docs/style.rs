//! How the page looks: two sets of colours, each pair of which is read with ease.

use std::fmt::Write;

/// A set of colours, as red, green and blue.
struct Colours {
    text: u32,
    dim: u32,
    link: u32,
    back: u32,
    code: u32,
    line: u32,
}

const LIGHT: Colours = Colours {
    text: 0x1b_1f_24,
    dim: 0x4a_52_5c,
    link: 0x1d_4e_d8,
    back: 0xff_ff_ff,
    code: 0xee_f0_f3,
    line: 0xd0_d5_dc,
};

const DARK: Colours = Colours {
    text: 0xe6_e8_eb,
    dim: 0xaa_b2_bd,
    link: 0x9d_b7_ff,
    back: 0x14_17_1c,
    code: 0x24_2a_33,
    line: 0x3a_42_4d,
};

const RULES: &str = "
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
main, header { max-width: 62rem; margin: 0 auto; padding: 1rem 1.25rem; }
h1 { margin: 1rem 0 .25rem; } h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2rem 0 .25rem; overflow-wrap: anywhere; font-size: 1.05rem; }
h4 { margin: 1rem 0 .25rem; font-size: .9rem; color: var(--dim); }
a { color: var(--link); } a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code { background: var(--code); padding: .05rem .3rem; border-radius: .25rem; font-size: .9em; overflow-wrap: anywhere; }
nav ul { list-style: none; padding: 0; columns: 22rem; } nav li { padding: .15rem 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
.dim { color: var(--dim); } p { margin: .4rem 0; }
";

pub(super) fn sheet() -> String {
    let mut sheet = String::from(":root { color-scheme: light dark; }\n");
    let mut put = |before: &str, colours: &Colours, after: &str| {
        let Colours {
            text,
            dim,
            link,
            back,
            code,
            line,
        } = colours;
        // Writing to a String does not fail.
        let _ = writeln!(
            sheet,
            "{before}:root {{ --text: #{text:06x}; --dim: #{dim:06x}; --link: #{link:06x}; \
             --back: #{back:06x}; --code: #{code:06x}; --line: #{line:06x}; }}{after}"
        );
    };
    put("", &LIGHT, "");
    put("@media (prefers-color-scheme: dark) { ", &DARK, " }");
    sheet.push_str(RULES);
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(colour: u32) -> f64 {
        let part = |shift: u32| {
            let value = f64::from((colour >> shift) & 0xff) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn the_sheet_holds_nothing_that_markup_would_change() {
        assert!(!sheet().contains(['<', '>', '&', '"', '\'']));
    }

    #[test]
    fn every_text_is_read_with_ease_in_light_and_dark() {
        for colours in [LIGHT, DARK] {
            for front in [colours.text, colours.dim, colours.link] {
                for back in [colours.back, colours.code] {
                    let contrast = contrast(front, back);
                    assert!(
                        contrast >= 4.5,
                        "#{front:06x} on #{back:06x}: {contrast:.2}"
                    );
                }
            }
        }
    }
}
