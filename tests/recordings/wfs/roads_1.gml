<?xml version="1.0" encoding="UTF-8"?>
<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:hp="http://haiphong.example" numberMatched="3" numberReturned="2">
  <wfs:member>
    <hp:roads gml:id="roads.1">
      <hp:name>Lạch Tray</hp:name>
      <hp:lanes>6</hp:lanes>
      <hp:geom><gml:LineString srsName="urn:ogc:def:crs:EPSG::4326"><gml:posList>20.8331 106.6966 20.8500 106.6890</gml:posList></gml:LineString></hp:geom>
    </hp:roads>
  </wfs:member>
  <wfs:member>
    <hp:roads gml:id="roads.2">
      <hp:name>Cầu Đất</hp:name>
      <hp:lanes>4</hp:lanes>
      <hp:geom><gml:LineString srsName="urn:ogc:def:crs:EPSG::4326"><gml:posList>20.8582 106.6828 20.8555 106.6856</gml:posList></gml:LineString></hp:geom>
    </hp:roads>
  </wfs:member>
</wfs:FeatureCollection>
