//! What is to be drawn: a line a thing, in the order in which it is seen.
//!
//! ```text
//! title TEXT
//! layer TEXT                       boxes in a row, named at the left
//! box NAME | TITLE | LINE | LINE   a box in the layer before it
//! frame TEXT … end                 a frame around the layers between
//! arrow NAME > NAME | LABEL        from a box to one in a layer below
//! # …                              said to whoever reads the description
//! ```

/// The parts of a picture.
#[derive(Debug, Default)]
pub(super) struct Description {
    pub(super) title: String,
    pub(super) layers: Vec<Layer>,
    pub(super) frames: Vec<Frame>,
    pub(super) arrows: Vec<Arrow>,
}

#[derive(Debug)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) boxes: Vec<Part>,
    line: usize,
}

#[derive(Debug)]
pub(super) struct Part {
    name: String,
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

/// Around the layers from `first` to before `end`.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) first: usize,
    pub(super) end: usize,
}

/// A box, by its layer and its place in it.
pub(super) type Spot = (usize, usize);

#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: Spot,
    pub(super) to: Spot,
    pub(super) label: String,
}

impl Description {
    /// Reads it, or says in which line what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut read = Self::default();
        let mut open: Option<(usize, String, usize)> = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.trim();
            if read.title.is_empty() && word != "title" {
                return Err(format!("{}: the first line is `title`", index + 1));
            }
            let done = match word {
                "title" => {
                    rest.clone_into(&mut read.title);
                    Ok(())
                }
                "layer" => {
                    read.layers.push(Layer {
                        name: rest.to_owned(),
                        boxes: Vec::new(),
                        line: index + 1,
                    });
                    Ok(())
                }
                "box" => read.part(rest),
                "arrow" => read.arrow(rest),
                "frame" if open.is_none() => {
                    open = Some((index + 1, rest.to_owned(), read.layers.len()));
                    Ok(())
                }
                "end" => match open.take() {
                    Some((_, name, first)) => {
                        let end = read.layers.len();
                        read.frames.push(Frame { name, first, end });
                        Ok(())
                    }
                    None => Err("no frame is open".to_owned()),
                },
                other => Err(format!("`{other}` is no word for a picture here")),
            };
            done.map_err(|why| format!("{}: {why}", index + 1))?;
        }
        if let Some((line, ..)) = open {
            return Err(format!("{line}: the frame is not ended"));
        }
        if read.layers.is_empty() {
            return Err("1: there is no layer".to_owned());
        }
        match read.layers.iter().find(|layer| layer.boxes.is_empty()) {
            Some(layer) => Err(format!("{}: the layer is empty", layer.line)),
            None => Ok(read),
        }
    }

    fn part(&mut self, rest: &str) -> Result<(), String> {
        let mut fields = rest.split('|').map(|field| field.trim().to_owned());
        let name = fields.next().unwrap_or_default();
        if self.spot(&name).is_ok() {
            return Err(format!("there is a box `{name}` already"));
        }
        let title = fields.next().ok_or("a box is `name | title | line …`")?;
        let lines = fields.collect();
        let layer = self.layers.last_mut().ok_or("a box stands in a layer")?;
        layer.boxes.push(Part { name, title, lines });
        Ok(())
    }

    fn arrow(&mut self, rest: &str) -> Result<(), String> {
        let (ends, label) = rest.split_once('|').unwrap_or((rest, ""));
        let (from, to) = ends
            .split_once('>')
            .ok_or("an arrow is `name > name | label`")?;
        let (from, to) = (self.spot(from.trim())?, self.spot(to.trim())?);
        if from.0 >= to.0 {
            return Err("an arrow goes from a layer to one below".to_owned());
        }
        let label = label.trim().to_owned();
        self.arrows.push(Arrow { from, to, label });
        Ok(())
    }

    fn spot(&self, name: &str) -> Result<Spot, String> {
        self.layers
            .iter()
            .enumerate()
            .find_map(|(layer, row)| {
                let place = row.boxes.iter().position(|part| part.name == name)?;
                Some((layer, place))
            })
            .ok_or_else(|| format!("there is no box `{name}`"))
    }
}
